import { BlockList, isIP } from 'node:net'

/** IPv4 that is not of the public internet: IANA's special-purpose registry, and addresses that clouds keep for themselves. */
const special = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  // Azure's platform service, which looks like a public address.
  ['168.63.129.16', 32],
] as const) {
  special.addSubnet(network, prefix, 'ipv4')
}

/** IPv6: what is global unicast, less what within it is special. All that wraps an IPv4 address is outside or special. */
const global = new BlockList()
global.addSubnet('2000::', 3, 'ipv6')
const specialGlobal = new BlockList()
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
] as const) {
  specialGlobal.addSubnet(network, prefix, 'ipv6')
}

/** True for an address that anyone on the internet may reach. Anything that is not a plain address is not. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !special.check(address, 'ipv4')
    case 6:
      // A zone (`%eth0`) belongs to a link, never to the internet.
      return !address.includes('%') && global.check(address, 'ipv6') && !specialGlobal.check(address, 'ipv6')
    default:
      return false
  }
}

/** Names that point into a machine or a local network, whatever a resolver says of them. */
export function isLocalName(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '')
  return (
    !name.includes('.') ||
    /\.(localhost|local|internal|intranet|lan|home|corp|home\.arpa|test|invalid|onion)$/.test(name)
  )
}
