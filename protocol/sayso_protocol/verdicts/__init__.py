"""The verdict: may this item be used for this, by this grantee, now?"""
