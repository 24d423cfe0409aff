"""Work that outlives a request: what lower layers put in the outbox is sent from here."""
