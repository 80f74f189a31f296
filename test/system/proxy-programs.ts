/** The four proxies of docs/reverse-proxies.md: how a test turns the documented configuration into files and a command. */
import { join } from 'node:path'
import type { ProxyProgram } from '@mqtt-status/testing/reverse-proxy'

/** The folder that holds Apache's modules on Debian. */
const APACHE_MODULES = '/usr/lib/apache2/modules'
const APACHE_LOADS = [
  ['mpm_event', 'mod_mpm_event.so'],
  ['authz_core', 'mod_authz_core.so'],
  ['socache_shmcb', 'mod_socache_shmcb.so'],
  ['ssl', 'mod_ssl.so'],
  ['proxy', 'mod_proxy.so'],
  ['proxy_http', 'mod_proxy_http.so'],
  ['deflate', 'mod_deflate.so'],
  ['filter', 'mod_filter.so'],
] as const

export interface DocumentedProxy extends ProxyProgram {
  /** The language of the fenced block in the page. */
  readonly fence: string
  /** Puts the test's port into the line that listens on 443. */
  listen(config: string, port: number): string
}

export const PROXIES: readonly DocumentedProxy[] = [
  {
    name: 'nginx',
    fence: 'nginx',
    listen: (config, port) => config.replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`),
    files: (folder, config) => ({
      'nginx.conf': `daemon off;
pid ${folder}/pid;
error_log stderr;
events {}
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  gzip on;
  gzip_types text/css text/javascript application/json;
  gzip_proxied any;
  gzip_min_length 1;
${config}
}
`,
    }),
    command: (folder) => ['nginx', '-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf')],
  },
  {
    name: 'caddy',
    fence: 'caddyfile',
    listen: (config, port) => config.replace('portal.example.com', `https://localhost:${port}`),
    files: (folder, config) => ({
      Caddyfile: `{
  admin off
  auto_https off
}
${config.replace('{\n', `{\n  tls ${folder}/portal.crt ${folder}/portal.key\n  encode gzip\n`)}
`,
    }),
    command: (folder) => [
      'caddy',
      'run',
      '--adapter',
      'caddyfile',
      '--config',
      join(folder, 'Caddyfile'),
    ],
  },
  {
    name: 'haproxy',
    fence: 'haproxy',
    listen: (config, port) => config.replace('bind :443', `bind 127.0.0.1:${port}`),
    files: (_folder, config) => ({ 'haproxy.cfg': `${config}\n` }),
    command: (folder) => ['haproxy', '-db', '-f', join(folder, 'haproxy.cfg')],
  },
  {
    name: 'apache',
    fence: 'apache',
    listen: (config, port) => config.replace('*:443', `127.0.0.1:${port}`),
    files: (folder, config) => ({
      'apache.conf': `ServerRoot ${folder}
PidFile ${folder}/pid
ErrorLog ${folder}/error.log
ServerName localhost
Listen 127.0.0.1:${/127\.0\.0\.1:(\d+)>/.exec(config)?.[1] ?? ''}
${APACHE_LOADS.map(([name, file]) => `LoadModule ${name}_module ${APACHE_MODULES}/${file}`).join('\n')}
Mutex pthread default
${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
AddOutputFilterByType DEFLATE text/html text/css application/json
${config}
`,
    }),
    command: (folder) => ['apache2', '-DFOREGROUND', '-f', join(folder, 'apache.conf')],
  },
]
