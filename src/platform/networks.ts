import { BlockList, isIP } from 'node:net'

/** A network as its owner writes it: `192.0.2.0/24`, `2001:db8::/32`, or one address. */
interface Network {
  address: string
  family: 'ipv4' | 'ipv6'
  bits: number
}

function networkOf(text: string): Network | undefined {
  const [address = '', bits, ...rest] = text.split('/')
  const version = isIP(address)
  // A zone (fe80::1%eth0) means something on one machine alone.
  if (version === 0 || rest.length > 0 || address.includes('%')) return undefined
  const all = version === 4 ? 32 : 128
  if (bits !== undefined && (!/^\d{1,3}$/.test(bits) || Number(bits) > all)) return undefined
  return { address, family: version === 4 ? 'ipv4' : 'ipv6', bits: bits === undefined ? all : Number(bits) }
}

/** True for a network in CIDR form, or one address, of IPv4 or IPv6. */
export const isNetwork = (text: string): boolean => networkOf(text) !== undefined

/** Says of an address whether it is in one of these networks. IPv4 within IPv6 (`::ffff:192.0.2.1`) is IPv4. */
export function within(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const text of networks) {
    const network = networkOf(text)
    if (network) list.addSubnet(network.address, network.bits, network.family)
  }
  return (given) => {
    const address = given.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
    const version = isIP(address)
    return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6')
  }
}
