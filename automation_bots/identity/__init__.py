"""Who somebody is beside policy.yml: links made in chat, LDAP, authenticator apps."""
