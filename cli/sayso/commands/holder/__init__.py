"""Commands of holders of licenses, and of people who dispute some."""
