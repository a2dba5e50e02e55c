"""The CRM add-on: contacts, companies, the sync and its pages."""
