// SPDX-License-Identifier: BSD-2-Clause
//
// A guest's physical address space on seL4: a VSpace of its own that frames are mapped into, with the page tables and
// the frames that this VM paid for. One executor at a time changes it.
#pragma once

#include <hosts/sel4/capabilities.hpp>
#include <hosts/sel4/device_frames.hpp>
#include <hosts/sel4/ram.hpp>

#include <sel4vm/base/allocator.hpp>
#include <sel4vm/host/guest_space_port.hpp>

#include <optional>

namespace sel4vm::sel4 {

/// What a VM is made from; all of it outlives the VM.
struct Environment {
    vka_t *vka = nullptr;
    vspace_t *vmm = nullptr; ///< the VMM's own address space, for windows
    Allocator *allocator = nullptr;
    DeviceFrames *devices = nullptr;
};

/// What a client's frame is mapped as.
enum class FrameMemory : u8 { normal, device };

class GuestSpace final : public GuestSpacePort {
public:
    explicit GuestSpace(const Environment &environment) : env_(environment) {}
    GuestSpace(const GuestSpace &) = delete;
    GuestSpace &operator=(const GuestSpace &) = delete;
    ~GuestSpace();

    /// Makes the root and gives it an ASID; call once, before anything else.
    [[nodiscard]] Status<HostError> create(simple_t &simple);
    [[nodiscard]] const vka_object_t &root() const { return root_.object(); }
    /// Of the VMM's own address space.
    [[nodiscard]] seL4_CPtr vmm_root() const { return vspace_get_root(env_.vmm); }

    [[nodiscard]] Result<RamBlock, HostError> allocate_ram(u64 size_bytes, u64 alignment, Clearing clearing) override;
    void free_ram(const RamBlock &block) override;
    [[nodiscard]] Status<HostError> map_ram(GpaRange at, const RamBlock &block, u64 offset,
                                            Protection protection) override;
    [[nodiscard]] Status<HostError> map_device(GpaRange at, HostPhys phys) override;
    [[nodiscard]] Status<HostError> protect(GpaRange at, Protection protection) override;
    void unmap(GpaRange at) override;
    [[nodiscard]] Status<HostError> reserve_tables(GpaRange at) override;
    void clean_to_guest(const RamBlock &block, u64 offset, u64 size_bytes) override;
    [[nodiscard]] unsigned address_bits() const override;

    // Beyond the port, for the C interface.
    [[nodiscard]] Result<RamBlock, HostError> adopt_ram(u64 size_bytes, FrameCaps &frames);
    [[nodiscard]] Result<RamBlock, HostError> allocate_ram_at(HostPhys phys, u64 size_bytes);
    /// A frame of the client's; its capability is copied.
    [[nodiscard]] Status<HostError> map_frame(Gpa at, seL4_CPtr frame, unsigned size_bits, seL4_CapRights_t rights,
                                              FrameMemory memory = FrameMemory::normal);
    /// The capability that is mapped at an address, RAM or not, and its frame's size.
    struct MappedFrame {
        seL4_CPtr cap = 0;
        unsigned size_bits = 0;
    };
    [[nodiscard]] std::optional<MappedFrame> frame_at(Gpa at) const;
    [[nodiscard]] Result<HostPhys, HostError> translate(Gpa at, u64 size_bytes);

    /// Where the VMM sees `size_bytes` bytes of RAM that the guest can reach at `at`; nullptr otherwise, and when they
    /// straddle a page.
    [[nodiscard]] const volatile u8 *ram_at(Gpa at, u64 size_bytes) const;

private:
    struct Table {
        OwnedObject object;
        Table *next = nullptr;
    };
    /// One mapped frame that is not RAM of ours.
    struct Foreign {
        CapSlot cap;
        Gpa at;
        unsigned size_bits = 0;
        Foreign *next = nullptr;
    };

    [[nodiscard]] Result<RamBlock, HostError> keep(Owned<RamBacking> backing);
    [[nodiscard]] RamBacking *backing_of(const RamBlock &block) const;
    [[nodiscard]] RamBacking *backing_at(Gpa at) const;
    [[nodiscard]] bool anything_mapped(GpaRange at) const;
    [[nodiscard]] Status<HostError> map_cap(seL4_CPtr frame, Gpa at, seL4_CapRights_t rights,
                                            seL4_ARM_VMAttributes attributes);
    [[nodiscard]] Status<HostError> add_foreign(CapSlot cap, Gpa at, unsigned size_bits, seL4_CapRights_t rights,
                                                seL4_ARM_VMAttributes attributes);
    [[nodiscard]] Status<HostError> add_table(Gpa at);
    [[nodiscard]] Table *new_table();
    void free_tables(Table *list);

    Environment env_;
    OwnedObject root_;
    RamBacking *ram_ = nullptr;
    Foreign *foreign_ = nullptr;
    Table *tables_ = nullptr; ///< mapped
    Table *spare_ = nullptr;  ///< set aside
};

} // namespace sel4vm::sel4
