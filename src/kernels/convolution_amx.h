// The innermost loops of bfloat16 convolutions on AMX tiles (Intel since Sapphire Rapids), 16 outputs of 16 channels an instruction.
#pragma once
#include "kernels/convolution_micro.h"

namespace vesal::kernels {

/// Who multiplies tiles: nobody, so that AVX-512 BF16 has to do; the processor; or plain C++ that does what the processor would, for tests.
enum class TileUnit { none, plain, amx };

/// `amx` where the processor has it, the system lets us use its registers, it agrees with the plain form on a trial, and no instruction set was asked
/// for.
TileUnit tile_unit();
/// For tests: `plain` from now on, or what the machine has. Not while kernels run.
void use_plain_tiles(bool wanted);

/// As bf16_tile, with the same local copies and weights. Up to four rows of sixteen outputs; `unit` is not none.
MicroTile amx_tile(std::int64_t rows, std::int64_t width, TileUnit unit);

}  // namespace vesal::kernels
