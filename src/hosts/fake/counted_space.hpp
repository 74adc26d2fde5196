// SPDX-License-Identifier: BSD-2-Clause
//
// The guest space of a program's VM: GuestSpace, whose requests count with its host's, and can be refused.
#pragma once

#include <hosts/fake/guest_space.hpp>
#include <hosts/fake/host_base.hpp>

namespace sel4vm::fake {

class CountedSpace : public GuestSpacePort {
public:
    explicit CountedSpace(HostBase &host) : host_(host) {}
    CountedSpace(const CountedSpace &) = delete;
    CountedSpace &operator=(const CountedSpace &) = delete;

    [[nodiscard]] GuestSpace &inner() { return inner_; }

    [[nodiscard]] Result<RamBlock, HostError> allocate_ram(u64 size_bytes, u64 alignment, Clearing clearing) override;
    void free_ram(const RamBlock &block) override;
    [[nodiscard]] Status<HostError> map_ram(GpaRange at, const RamBlock &block, u64 offset,
                                            Protection protection) override;
    [[nodiscard]] Status<HostError> map_device(GpaRange at, HostPhys phys) override;
    [[nodiscard]] Status<HostError> protect(GpaRange at, Protection protection) override {
        return inner_.protect(at, protection);
    }
    void unmap(GpaRange at) override { inner_.unmap(at); }
    [[nodiscard]] Status<HostError> reserve_tables(GpaRange at) override;
    void clean_to_guest(const RamBlock &block, u64 offset, u64 size_bytes) override {
        inner_.clean_to_guest(block, offset, size_bytes);
    }
    [[nodiscard]] unsigned address_bits() const override { return inner_.address_bits(); }

protected:
    ~CountedSpace() = default;
    [[nodiscard]] HostBase &host() { return host_; }

private:
    HostBase &host_;
    GuestSpace inner_;
};

} // namespace sel4vm::fake
