#!/bin/bash
#
# Three hosts of our own, host1 to host3, as network namespaces with an sshd each, and COMMAND on a fourth that reaches them. Only root can.
#
#	hosts.sh FOLDER COMMAND...
#
# All of it is in namespaces of mounts, processes and networks that end with COMMAND; nothing of this machine's own is touched or reached. Each
# host has a home of its own, FOLDER/hostN/home, and FOLDER/hostN/bin comes first in its PATH; the tree is at the same place on all. OG_SSH is the ssh that knows them. FOLDER/die N ends a
# host as a power cut does: its processes, which it names, are gone, and nobody answers for it.
set -eu

if [ "$1" != --inside ]; then
	folder=$(realpath "$1")
	shift
	exec unshare --net --mount --pid --fork --kill-child --mount-proc -- "$BASH" "$0" --inside "$folder" "$@"
fi
folder=$2
shift 2
from=$PWD
cd "$folder"
sshd=$(command -v sshd || echo /usr/sbin/sshd)

# Names of namespaces, and what sshd wants there, are ours alone.
mount -t tmpfs tmpfs /run
mkdir /run/netns /run/sshd
ip link set lo up
ip link add og0 type bridge
ip addr add 10.77.7.254/24 dev og0
ip link set og0 up

# boot N: its network, its home, its sshd.
# shellcheck disable=SC2016 # for the shell on that host
boot() {
	ip netns add "host$1"
	ip link add "og$1" type veth peer name eth0 netns "host$1"
	ip link set "og$1" master og0 up
	ip -n "host$1" link set lo up
	ip -n "host$1" addr add "10.77.7.$1/24" dev eth0
	ip -n "host$1" link set eth0 up
	ip netns exec "host$1" unshare --uts bash -eu -c '
		mount --bind "$1/passwd" /etc/passwd
		hostname "${1##*/}"
		"$2" -f "$1/sshd_config" -E "$1/log"' - "$folder/host$1" "$sshd"
}

ssh-keygen -q -t ed25519 -N '' -f key
for n in 1 2 3; do
	mkdir -p "host$n/home/.ssh"
	ssh-keygen -q -t ed25519 -N '' -f "host$n/key"
	echo "10.77.7.$n $(cut -d ' ' -f 1,2 "host$n/key.pub")" >>known
	cp key.pub "host$n/authorized"
	awk -F: -v OFS=: -v home="$folder/host$n/home" '$1 == "root" { $6 = home; $7 = "/bin/bash" } { print }' /etc/passwd >"host$n/passwd"
	cat >"host$n/sshd_config" <<-END
		HostKey $folder/host$n/key
		AuthorizedKeysFile $folder/host$n/authorized
		ListenAddress 10.77.7.$n
		PermitRootLogin prohibit-password
		PidFile $folder/host$n/pid
		StrictModes no
		UsePAM no
		SetEnv PATH=$folder/host$n/bin:$PATH OG_SHARE=$OG_SHARE LC_ALL=C
	END
	printf 'Host host%d\nHostName 10.77.7.%d\n' "$n" "$n" >>ssh_config
	boot "$n"
done
cat >>ssh_config <<-END
	Host *
	BatchMode yes
	ConnectTimeout 3
	IdentitiesOnly yes
	IdentityFile $folder/key
	ServerAliveCountMax 2
	ServerAliveInterval 1
	User root
	UserKnownHostsFile $folder/known
END
cat >die <<-'END'
	#!/bin/sh
	ip link set "og$1" down
	ip netns pids "host$1" | xargs -r ps -o comm= -p
	ip netns pids "host$1" | xargs -r kill -9
	ip netns del "host$1"
END
chmod +x die
export OG_SSH="ssh -F $folder/ssh_config"
for n in 1 2 3; do
	for ((i = 0; i < 100; i++)); do
		! $OG_SSH "host$n" true 2>/dev/null || break
		sleep 0.1
	done
	[ "$i" -lt 100 ] || {
		cat "host$n/log" >&2
		exit 1
	}
done
cd "$from"
"$@"
