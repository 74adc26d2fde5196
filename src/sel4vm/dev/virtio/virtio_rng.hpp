// SPDX-License-Identifier: BSD-2-Clause
//
// Virtio entropy device: Virtio 1.2, 5.4. A buffer gets up to kMostBytes random bytes of the host, whatever its length: a driver asks again
// for more. While the host has none, buffers wait for the next notification.
//
// Threads: as VirtioModel.
#pragma once

#include <sel4vm/dev/virtio/virtio_function.hpp>
#include <sel4vm/host/services.hpp>

namespace sel4vm::dev {

class VirtioRng final : public VirtioModel {
public:
    /// Of one buffer, at most.
    static constexpr u32 kMostBytes = 256;

    explicit VirtioRng(Entropy &entropy) : entropy_(entropy) {}

    [[nodiscard]] const char *name() const override { return "virtio-rng"; }
    [[nodiscard]] u32 device_id() const override { return 4; }
    [[nodiscard]] u16 queue_size_max() const override { return 64; }
    [[nodiscard]] bool serve(VirtioFunction &function, u32 queue, u64 &left_bytes) override;

private:
    Entropy &entropy_;
    std::array<u8, kMostBytes> bytes_{}; ///< the last left_ of which nobody has had
    u32 left_ = 0;
    VirtioChain chain_;
};

} // namespace sel4vm::dev
