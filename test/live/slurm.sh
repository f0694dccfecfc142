#!/bin/bash
#
# A Slurm of our own with two nodes of one processor, node1 and node2, and COMMAND as its user. Only root can.
#
#	slurm.sh FOLDER COMMAND...
#
# All of it is in namespaces that end with COMMAND. FOLDER/die N ends a node as a power cut does; Slurm finds out after some seconds.
set -eu

if [ "$1" != --inside ]; then
	folder=$(realpath "$1")
	shift
	exec unshare --net --mount --pid --uts --fork --kill-child --mount-proc -- "$BASH" "$0" --inside "$folder" "$@"
fi
folder=$2
shift 2
PATH=$PATH:/usr/sbin:/sbin

mount -t tmpfs tmpfs /run
hostname node0
ip link set lo up
ip link add og0 type bridge
ip addr add 10.77.7.254/24 dev og0
ip link set og0 up

mkdir -p "$folder/munge" "$folder/state" "$folder/spool/node1" "$folder/spool/node2"
(umask 077 && head -c 1024 /dev/urandom >"$folder/munge.key")
# It does not mind who may write to the folders above its own.
munged --force --key-file="$folder/munge.key" --socket="$folder/munge/socket" --pid-file="$folder/munge/pid" --log-file="$folder/munge/log" \
	--seed-file="$folder/munge/seed" 2>"$folder/munge/said"
cat >"$folder/slurm.conf" <<-END
	ClusterName=og
	SlurmctldHost=node0(10.77.7.254)
	SlurmUser=root
	SlurmdUser=root
	AuthType=auth/munge
	AuthInfo=socket=$folder/munge/socket,cred_expire=5
	CredType=cred/munge
	StateSaveLocation=$folder/state
	SlurmdSpoolDir=$folder/spool/%n
	SlurmdPidFile=$folder/%n.pid
	SlurmdLogFile=$folder/%n.log
	SlurmctldPidFile=$folder/ctld.pid
	SlurmctldLogFile=$folder/ctld.log
	ProctrackType=proctrack/linuxproc
	TaskPlugin=task/none
	JobAcctGatherType=jobacct_gather/none
	SelectType=select/cons_tres
	SelectTypeParameters=CR_Core
	MpiDefault=none
	SwitchType=switch/none
	ReturnToService=2
	SlurmdTimeout=2
	MessageTimeout=2
	SchedulerParameters=batch_sched_delay=1,sched_interval=1
	NodeName=node1 NodeAddr=10.77.7.254 Port=17001 CPUs=1 State=UNKNOWN
	NodeName=node2 NodeAddr=10.77.7.254 Port=17002 CPUs=1 State=UNKNOWN
	PartitionName=og Nodes=node1,node2 Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF=$folder/slurm.conf
slurmctld -c
# Each node has processes of its own, which end with the first of them.
for n in 1 2; do
	unshare --mount --pid --fork --kill-child --mount-proc slurmd -D -N "node$n" 2>/dev/null &
	echo $! >"$folder/node$n.init"
done
# shellcheck disable=SC2016 # for that shell
printf '#!/bin/sh\nkill -9 "$(cat "%s/node$1.init")"\n' "$folder" >"$folder/die"
chmod +x "$folder/die"
for ((i = 0; i < 100; i++)); do
	[ "$(sinfo -h -t idle -o %D 2>/dev/null)" != 2 ] || break
	sleep 0.2
done
[ "$i" -lt 100 ] || {
	tail -n 20 "$folder"/*.log >&2
	exit 1
}
"$@"
