"""RFC 5997 sections 6.1 and 6.2: Status-Server to the authentication and the accounting port, answered."""

SECRET = b"xyzzy5461"
AUTHENTICATION = bytes.fromhex("0cda00268a54f4686fb394c52866e302185d062350125a665e2e1e8411f3e243822097c84fa3")
ACCESS_ACCEPT = bytes.fromhex("02da0014ef0d552a4bf2d693ec2b6fe8b5411d66")
ACCOUNTING = bytes.fromhex("0cb30026925f6b66dd5fed571fcb1db7ad3882605012e8d6eabda910875cd91fdade26367858")
ACCOUNTING_RESPONSE = bytes.fromhex("05b300140f6f92145f107e2f504e860a4860669c")
