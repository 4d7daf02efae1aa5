-- Of a mail to administrators about a sign-in: where it came from, as its gateway reported it.
ALTER TABLE mails ADD COLUMN login_address TEXT;
