// SPDX-License-Identifier: BSD-2-Clause
//
// The guest space of a VM of the C interface: what the bare host has, and RAM made of the client's own frames, which need
// not lie together. Such frames get a window of consecutive addresses in the host's own translation.
#pragma once

#include <bindings/el2/handles.hpp>
#include <hosts/el2/host.hpp>

#include <sel4vm/base/owned_array.hpp>
#include <sel4vm/capi/binding.hpp>

namespace sel4vm::el2 {

class AdoptingSpace final : public GuestSpacePort {
public:
    AdoptingSpace(Host &host, Owned<GuestSpace> space) : host_(host), space_(std::move(space)) {}
    ~AdoptingSpace();
    AdoptingSpace(const AdoptingSpace &) = delete;
    AdoptingSpace &operator=(const AdoptingSpace &) = delete;

    [[nodiscard]] GuestSpace &inner() { return *space_; }
    /// As Binding says.
    [[nodiscard]] Result<RamBlock, HostError> adopt(Gpa at, u64 size_bytes, const capi::FrameSource &frames);
    [[nodiscard]] Status<HostError> map_frame(Gpa at, const vm_frame_t &frame);

    [[nodiscard]] Result<RamBlock, HostError> allocate_ram(u64 size_bytes, u64 alignment, Clearing clearing) override {
        return space_->allocate_ram(size_bytes, alignment, clearing);
    }
    void free_ram(const RamBlock &block) override;
    [[nodiscard]] Status<HostError> map_ram(GpaRange at, const RamBlock &block, u64 offset,
                                            Protection protection) override;
    [[nodiscard]] Status<HostError> map_device(GpaRange at, HostPhys phys) override {
        return space_->map_device(at, phys);
    }
    [[nodiscard]] Status<HostError> protect(GpaRange at, Protection protection) override {
        return space_->protect(at, protection);
    }
    void unmap(GpaRange at) override { space_->unmap(at); }
    [[nodiscard]] Status<HostError> reserve_tables(GpaRange at) override { return space_->reserve_tables(at); }
    void clean_to_guest(const RamBlock &block, u64 offset, u64 size_bytes) override;
    [[nodiscard]] unsigned address_bits() const override { return space_->address_bits(); }

private:
    /// One block of the client's frames, in a list.
    struct Adopted {
        u64 window = 0;
        u64 size_bytes = 0;
        OwnedArray<u64> pages; ///< the physical address of each page of 4 KiB
        Owned<Adopted> next;
    };
    [[nodiscard]] Adopted *find(const RamBlock &block);
    [[nodiscard]] u64 free_window(u64 size_bytes) const;
    [[nodiscard]] Status<HostError> collect(Adopted &block, Gpa at, const capi::FrameSource &frames);
    [[nodiscard]] Status<HostError> open_window(Adopted &block);
    /// Calls `visit(page address, offset, bytes)` for each run of consecutive pages of the part, until one fails.
    template <class Visit>
    [[nodiscard]] static Status<HostError> each_run(const Adopted &block, u64 offset, u64 size_bytes, Visit visit);

    Host &host_;
    Owned<GuestSpace> space_;
    Owned<Adopted> adopted_;
};

} // namespace sel4vm::el2
