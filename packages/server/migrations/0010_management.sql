-- Secrets that live elsewhere, rotation of keys, and who changed which setting.

-- Either it is here, encrypted, or it is found under a name when it is needed (env:…, file:…).
alter table connection_secrets
  alter column key_id drop not null,
  alter column nonce drop not null,
  alter column ciphertext drop not null,
  alter column tag drop not null,
  add column reference text,
  add constraint connection_secrets_field check (field in ('password', 'tls.key')),
  add constraint connection_secrets_kind check (
    case
      when reference is null then num_nulls(key_id, nonce, ciphertext, tag) = 0
      else num_nonnulls(key_id, nonce, ciphertext, tag) = 0
    end
  );

-- The same secret under another key is nothing to dial anew for: rotation leaves updated_at alone.
drop trigger connection_secrets_changed on connection_secrets;

create trigger connection_secrets_changed after insert or delete on connection_secrets
for each row execute function connection_secrets_changed();

create trigger connection_secrets_replaced after update on connection_secrets
for each row when (
  (old.connection_id, old.field, old.updated_at, old.reference)
  is distinct from (new.connection_id, new.field, new.updated_at, new.reference)
) execute function connection_secrets_changed();

-- The audit outlives the connection, so it keeps the place for those who may see only some. Which fields were changed is
-- noted, never to what.
alter table commands
  add column site_id text,
  add column fields jsonb;

create index commands_site on commands (site_id, id);
