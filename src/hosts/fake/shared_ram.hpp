// SPDX-License-Identifier: BSD-2-Clause
//
// Memory that several guests of the fake host have: of the process, as theirs is.
#pragma once

#include <sel4vm/host/shared_ram_port.hpp>

#include <map>
#include <memory>

namespace sel4vm::fake {

class SharedRam final : public SharedRamPort {
public:
    [[nodiscard]] Result<RamBlock, HostError> allocate_shared(u64 size_bytes) override;
    void free_shared(const RamBlock &block) override;

    // -- what a test looks at and sets
    [[nodiscard]] usize live_blocks() const { return blocks_.size(); }
    void limit_block(u64 bytes) { largest_block_ = bytes; }

private:
    struct Free {
        void operator()(u8 *bytes) const;
    };
    std::map<const volatile u8 *, std::unique_ptr<u8, Free>> blocks_; // by window
    u64 largest_block_ = kGiB;
};

} // namespace sel4vm::fake
