-- Secrets and leases. The server does not write them yet; they are here so that rights can be granted apart from those
-- on connections.

create table connection_secrets (
  connection_id text not null references connections (id) on update cascade on delete cascade,
  field text not null,
  key_id text not null,
  nonce bytea not null,
  ciphertext bytea not null,
  tag bytea not null,
  updated_at timestamptz not null default now(),
  primary key (connection_id, field)
);

-- A new secret is a reason to dial anew, so it raises the generation like any other dial setting.
create function connection_secrets_changed() returns trigger
language plpgsql security definer set search_path from current as $$
begin
  update connections
  set generation = generation + 1
  where id = case when tg_op = 'DELETE' then old.connection_id else new.connection_id end;
  return null;
end $$;

create trigger connection_secrets_changed after insert or update or delete on connection_secrets
for each row execute function connection_secrets_changed();

create table supervisors (
  id text primary key,
  lease_expires_at timestamptz not null,
  draining boolean not null default false,
  started_at timestamptz not null default now(),
  version text
);
