"""The dashboards in Power BI: a project of text files (TMDL model, PBIR report) from the specification."""
