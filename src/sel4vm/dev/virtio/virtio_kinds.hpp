// SPDX-License-Identifier: BSD-2-Clause
//
// Virtio devices over MMIO as kinds of devices that descriptions can ask for. Binding: virtio/mmio.yaml of Linux.
#pragma once

#include <sel4vm/dev/device_kind.hpp>
#include <sel4vm/dev/virtio/virtio_mmio.hpp>

namespace sel4vm::dev {

extern const DeviceKind kVirtioBlk;
extern const DeviceKind kVirtioNet;
extern const DeviceKind kVirtioRng;

/// What all of them have in common.
[[nodiscard]] inline VirtioSite virtio_site(const DeviceSite &site) { return {site.dma, site.work, site.locks}; }
/// The device sees what the guest's caches hold.
void add_virtio_properties(boot::FdtWriter &out, u32 phandle);
inline constexpr DeviceNode kVirtioNode{
    .name = "virtio_mmio", .compatible = "virtio,mmio", .add_properties = add_virtio_properties};

} // namespace sel4vm::dev
