// What a trainer looks at after each iteration: a loss that is a number, memory that lasts. No libtorch in here.
#pragma once
#include "infer/workflow.h"

namespace vesal::train {

/// Throws Error(config) if the loss is no finite number, with the epoch, the iteration, the files of the batch, what is wrong with them if
/// they are the cause, and the last good checkpoint of this run. Called before the weights are changed by that loss.
void check_loss(double loss, const infer::State& state, const infer::Batch& items, const Array& inputs);

/// "batch of ct_1.nii.gz, ct_2.nii.gz": the scans of a batch, for messages; "batch" if they have no names.
std::string described(const infer::Batch& items);

/// Before the first iteration on such a batch: a line with what it will take in memory and what is left; where that is not enough, `dataset`
/// gives up items of its cache. Throws Error(memory) if even then it would take far more. Silent where nothing can be told.
void check_memory(const Value& network, const Value& loss, const Value& dataset, const Shape& inputs, const Shape& targets);

/// After the first iteration, when all buffers have their size: a line with the peak and what is left, a warning where that is little.
void report_memory();

}  // namespace vesal::train
