// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/boot/fdt_writer.hpp>
#include <sel4vm/dev/virtio/virtio_kinds.hpp>

namespace sel4vm::dev {

void add_virtio_properties(boot::FdtWriter &out, u32) { out.empty("dma-coherent"); }

} // namespace sel4vm::dev
