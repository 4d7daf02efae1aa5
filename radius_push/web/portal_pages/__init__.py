"""The pages of the portal: what is shown, in four languages. No request and no store is known here."""
