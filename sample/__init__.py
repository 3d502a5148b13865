"""A made-up mobile-money operator: feeds of any size, with their dirt, their fraud and the truth about both."""
