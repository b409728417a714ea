import { once } from 'node:events'
import { connect } from 'node:net'

/** Sends bytes as they are, and parses the one answer that comes back before the service ends the connection. */
export async function sendRaw(port: number, bytes: string) {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(bytes)
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  // The service may close while we still send.
  socket.on('error', () => {})
  await once(socket, 'close')
  const [head = '', payload = ''] = text.split('\r\n\r\n')
  const [start = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line): [string, string] => {
      const at = line.indexOf(':')
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()]
    }),
  )
  return {
    status: Number(start.split(' ')[1]),
    headers,
    body: payload.startsWith('{') ? JSON.parse(payload) : undefined,
    text: payload,
  }
}
