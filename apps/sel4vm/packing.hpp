// SPDX-License-Identifier: BSD-2-Clause
//
// A system and its images as the bundle that the host program reads.
#pragma once

#include <apps/sel4vm/images.hpp>

namespace sel4vm::cli {

/// The whole bundle; the host's third-party notices, if there are any, are its last blob. Throws Failure where the library refuses, which judge_system() should have found before.
[[nodiscard]] Bytes make_bundle(const System &system, const LoadedImages &images, const std::optional<Bytes> &notices);

} // namespace sel4vm::cli
