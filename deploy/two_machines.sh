#!/bin/bash
# On the first machine:  ./two_machines.sh 0        On the second:  ./two_machines.sh 1
# Both must reach each other on any port above 1023: use a network of your own, for the ranks trust each other.
set -e
first=node0.hospital.lan  # the name or number of the first machine, as the second one knows it
cd ~/bundle
exec vesal launch --machines 2 --machine "$1" --ranks 1 --master "$first:29500" --timeout 600 -- \
  bundle run --config_file "['configs/train.json','configs/multi_gpu_train.json']" --dataset_dir ~/data
