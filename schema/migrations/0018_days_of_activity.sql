-- A day's date follows from its key. The views that took it from here are made anew after the migrations.
ALTER TABLE dwh.activity_day DROP COLUMN full_date CASCADE;
