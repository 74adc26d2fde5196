// SPDX-License-Identifier: BSD-2-Clause
//
// The files that a system names: read, decompressed where the guest's machine cannot do that, and judged by the
// library's own loaders, with every mistake reported under the key or option that named the file.
#pragma once

#include <apps/sel4vm/files.hpp>
#include <apps/sel4vm/system.hpp>

#include <vector>

namespace sel4vm::cli {

/// The contents, in the order of ImageRecord::blob. VMs that name the same file share one.
struct LoadedImages {
    std::vector<Bytes> blobs;
};

/// Fills in `blob` and `size_bytes` of every image of the description, and then the places of shared memory that are left open.
[[nodiscard]] LoadedImages load_images(System &system, Mistakes &mistakes);

/// The version that every GIC of a system with a VM has: the guests use the machine's own interfaces.
[[nodiscard]] u32 gic_version(const System &system);

/// What the library says about the description and where its images go, and whether the VMs fit one machine. After load_images().
void judge_system(const System &system, const LoadedImages &images, Mistakes &mistakes);

} // namespace sel4vm::cli
