"""TRUST: who our tenants are, and how we know that a caller is them.

Imports nothing of the product. Test for what belongs here: would a second add-on of ours need it unchanged?
"""
