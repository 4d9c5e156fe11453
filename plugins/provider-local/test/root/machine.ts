/** A machine of its own, as far as the network goes: one address, and a name server at it. */
export const MACHINE = [
  'ip link set lo up && ip link add out0 type veth peer name out1 && ip addr add 198.51.100.1/24 dev out0 && ip link set out0 up && ip link set out1 up && ip route add default dev out0 && ip -6 addr add 2001:db8::1/64 dev out0 nodad && ip -6 route add default dev out0',
  'sysctl -qw net.ipv4.ip_unprivileged_port_start=0',
  'file=$(mktemp) && echo nameserver 198.51.100.1 > $file && chmod 644 $file && mount --bind $file $(realpath /etc/resolv.conf)',
  'tun=$(mktemp -u) && mknod $tun c 10 200 && chmod 666 $tun && mount --bind $tun /dev/net/tun && rm $tun',
].join(' && ')
