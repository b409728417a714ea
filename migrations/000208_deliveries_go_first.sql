-- An endpoint's deliveries go before it does, while nobody waits for it.
grant delete on webhook_deliveries to beide_service;
