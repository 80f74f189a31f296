-- The connections, and what keeps them honest: people and other systems write to this table by hand.

create sequence connection_revisions;

create table connections (
  -- Goes into URLs as it is.
  id text primary key check (id ~ '^[A-Za-z0-9._~-]{1,128}$'),
  site_id text not null,
  name text not null,
  labels jsonb not null default '{}',
  -- false: somebody else keeps this connection and writes its status; it is only observed.
  managed boolean not null default true,

  -- What to dial. No checks on purpose: an impossible row becomes failed/config_invalid, it is not refused.
  protocol text not null default 'mqtt',
  host text,
  port integer,
  path text,
  protocol_version integer,
  client_id text,
  username text,
  keepalive_s integer,
  tls jsonb,
  topics jsonb,
  availability jsonb,
  sparkplug jsonb,
  expected_interval_s integer,

  -- What was asked for. null: an observed row whose writer has no notion of a wish.
  desired text default 'disconnected' check (desired in ('connected', 'disconnected')),
  generation bigint not null default 0,
  restart_generation bigint not null default 0,
  desired_at timestamptz,
  desired_by text,

  -- What was seen.
  status text not null default 'disconnected' check (
    status in ('disconnected', 'connecting', 'connected', 'reconnecting', 'disconnecting', 'failed', 'unknown')
  ),
  reason text,
  detail text,
  mqtt_reason_code integer,
  since timestamptz not null default now(),
  observed_generation bigint not null default 0,
  subscriptions_ok boolean,
  last_message_at timestamptz,
  device text not null default 'unknown' check (device in ('online', 'offline', 'stale', 'unknown')),
  device_since timestamptz,

  -- Who keeps it: a write of the status names both, so that a former owner changes nothing.
  owner_id text,
  epoch bigint not null default 0,

  -- The feed. Set by triggers, whatever the writer says.
  revision bigint not null default 0,
  changed xid8 not null default pg_current_xact_id(),

  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create index connections_changed on connections (changed);
create index connections_site_id on connections (site_id);

-- Where a row was and is no more. Keyed by place, so that whoever watches a site sees rows leave it, and nobody learns
-- of ids of another site.
create table connection_tombstones (
  id text not null,
  site_id text not null,
  revision bigint not null,
  changed xid8 not null,
  deleted_at timestamptz not null default now(),
  primary key (id, site_id)
);

create index connection_tombstones_changed on connection_tombstones (changed);
create index connection_tombstones_deleted_at on connection_tombstones (deleted_at);

-- One row. The epoch names one history of this database; it is valid at the place that was recorded with it.
create table meta (
  singleton boolean primary key default true check (singleton),
  epoch uuid not null default gen_random_uuid(),
  system_identifier bigint not null,
  timeline_id integer not null,
  database_oid oid not null,
  table_oid oid not null,
  -- null: a copy that nobody has confirmed, so nothing is dialled on its behalf. What is made here is nobody's copy.
  adopted_at timestamptz default now(),
  -- Tombstones below it are pruned: older cursors can't be honoured.
  tombstone_floor xid8 not null default '0'
);

-- Where this database is: the cluster, the timeline of its log, the database (one made from a template differs by it
-- alone), and this very table (a dump restored over its original differs by it alone). The control file learns of a
-- promotion only with the next checkpoint, the log at once; a standby, which writes none, is where its original is.
create function meta_home(
  out system_identifier bigint, out timeline_id integer, out database_oid oid, out table_oid oid
)
language sql stable security definer set search_path from current as $$
  select s.system_identifier,
    case
      when pg_is_in_recovery() then c.timeline_id
      else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer
    end,
    (select oid from pg_database where datname = current_database()),
    'meta'::regclass::oid
  from pg_control_system() s, pg_control_checkpoint() c
$$;

insert into meta (system_identifier, timeline_id, database_oid, table_oid)
select system_identifier, timeline_id, database_oid, table_oid
from meta_home();
