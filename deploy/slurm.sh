#!/bin/bash
# Training on several nodes under Slurm, without ssh between them: one launcher on each. Not tried on a cluster.
#   sbatch deploy/slurm.sh configs/large.json /shared/out/large
# Submit it from a checkout that all nodes see, with its virtual environment activated; the second argument is an
# out_dir that all of them see. Change nodes and GPUs in the next line, and GPUS below with them.
#SBATCH --nodes=2 --ntasks-per-node=1 --gpus-per-node=8 --signal=TERM@120
set -euo pipefail
export CONFIG=${1:?a config, such as configs/large.json} OUT=${2:?an out_dir that all nodes see}
GPUS=8

export HOSTS="hosts-$SLURM_JOB_ID" MASTER
scontrol show hostnames | sed "s/$/ slots=$GPUS/" > "$HOSTS"
MASTER=$(sed -n '1s/ .*//p' "$HOSTS")

# Two minutes before its time is over Slurm sends SIGTERM to the ranks: they finish the step, save and leave. The same
# command goes on from there.
srun bash -c 'deepspeed --hostfile "$HOSTS" --no_ssh --node_rank $SLURM_NODEID --master_addr $MASTER --master_port 29500 \
    train.py --config "$CONFIG" --set out_dir="$OUT"'
