// SPDX-License-Identifier: BSD-2-Clause
//
// The memory that VMs of one program share, by name: made for the first VM that joins, given back when the last has left. It is cleared when it is made
// and never again, since what a reset or an end of one VM cleared would be another's. Deliberately not where guests have it: that is each machine's.
//
// Threads: one at a time, while VMs are built or taken down; others may run, and ring each other.
#pragma once

#include <sel4vm/base/allocator.hpp>
#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/text.hpp>
#include <sel4vm/host/shared_ram_port.hpp>
#include <sel4vm/machine/description.hpp>

#include <utility>

namespace sel4vm::machine {

enum class SharedError : u8 {
    not_available, ///< guests of this host cannot share memory
    other_size,    ///< than the VMs before it have said
    too_many,      ///< kMaxShared
    out_of_memory, ///< the host has not enough in one piece
};
/// A phrase for messages.
[[nodiscard]] std::string_view to_string(SharedError error);

class SharedMemories {
    struct Memory {
        explicit Memory(std::string_view its_name) { name << its_name; }
        Text<kMaxNameBytes> name;
        RamBlock block;
        u64 size_bytes = 0; ///< of which VMs have so much
        dev::DoorbellGroup doorbells;
        usize members = 0;
    };

public:
    /// `ram`: nullptr where guests cannot share memory. Both outlive this, and this its members.
    SharedMemories(Allocator &allocator, SharedRamPort *ram) : allocator_(allocator), ram_(ram) {}
    SharedMemories(const SharedMemories &) = delete;
    SharedMemories &operator=(const SharedMemories &) = delete;
    ~SharedMemories() = default;

    /// A VM's part in one memory; it leaves when this goes, and has the memory mapped no longer than that.
    class Member {
    public:
        Member() = default;
        Member(Member &&other) noexcept
            : all_(std::exchange(other.all_, nullptr)), memory_(std::exchange(other.memory_, nullptr)) {}
        Member &operator=(Member &&other) noexcept {
            std::swap(all_, other.all_);
            std::swap(memory_, other.memory_);
            return *this;
        }
        ~Member() {
            if (all_ != nullptr)
                all_->leave(*memory_);
        }
        [[nodiscard]] const RamBlock &block() const { return memory_->block; }
        [[nodiscard]] dev::DoorbellGroup &doorbells() const { return memory_->doorbells; }

    private:
        friend class SharedMemories;
        Member(SharedMemories &all, Memory &memory) : all_(&all), memory_(&memory) {}
        SharedMemories *all_ = nullptr;
        Memory *memory_ = nullptr;
    };

    [[nodiscard]] Result<Member, SharedError> join(std::string_view name, u64 size_bytes);

private:
    [[nodiscard]] Memory *find(std::string_view name);
    [[nodiscard]] Result<Memory *, SharedError> make(std::string_view name, u64 size_bytes);
    void leave(Memory &memory);

    Allocator &allocator_;
    SharedRamPort *ram_;
    FixedVector<Owned<Memory>, kMaxShared> memories_;
};

} // namespace sel4vm::machine
