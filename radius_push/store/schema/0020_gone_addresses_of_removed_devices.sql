-- Devices that were removed before 0018 brought their mark along, and with it were never let go for good.
DELETE FROM gone_addresses WHERE device IN (SELECT id FROM devices WHERE state = 'removed');
