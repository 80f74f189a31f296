/** nchan in nginx (C, shared memory), where it is installed: the fastest of its kind that a user would find. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '@mqtt-status/testing/free-port'
import { adopt, end } from '../process.ts'

const MODULE = '/usr/lib/nginx/modules/ngx_nchan_module.so'

export interface Nchan {
  readonly pid: number
  readonly port: number
  publish(text: string): Promise<void>
  stop(): Promise<void>
}

/** `null` where nginx or the module is missing. */
export async function startNchan(): Promise<Nchan | null> {
  if (!existsSync(MODULE)) return null
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'mqtt-status-bench-'))
  writeFileSync(join(folder, 'nginx.conf'), configuration(port))
  const child = adopt(spawn('nginx', ['-p', folder, '-c', 'nginx.conf'], { stdio: 'ignore' }))
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const publish = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const call = request({ agent, port, host: '127.0.0.1', path: '/pub', method: 'POST' })
      call.on('error', reject)
      call.on('response', (response) => response.resume().on('end', resolve))
      call.end(text)
    })
  for (let tries = 0; tries < 50; tries++) {
    const up = await publish('up').then(
      () => true,
      () => new Promise<false>((resolve) => setTimeout(resolve, 50, false)),
    )
    if (up) break
  }
  return { pid: child.pid ?? 0, port, publish, stop: () => end(child, 'SIGKILL') }
}

/** One process, so that its time and its memory are all there is. */
function configuration(port: number): string {
  return `
load_module ${MODULE};
daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 20000; }
http {
  access_log off;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = / {
      nchan_subscriber websocket eventsource;
      nchan_channel_id all;
      nchan_subscriber_first_message newest;
    }
    location = /pub {
      nchan_publisher;
      nchan_channel_id all;
      nchan_message_buffer_length 600;
    }
  }
}
`
}
