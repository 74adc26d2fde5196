// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/shared_memories.hpp>

namespace sel4vm::machine {

std::string_view to_string(SharedError error) {
    switch (error) {
    case SharedError::not_available: return "guests of this host cannot share memory";
    case SharedError::other_size: return "another VM shares it with another size";
    case SharedError::too_many: return "there are too many shared memories";
    case SharedError::out_of_memory: return "the host has not enough memory left for it, in one piece";
    }
    return "?";
}

SharedMemories::Memory *SharedMemories::find(std::string_view name) {
    for (const Owned<Memory> &memory : memories_) {
        if (memory->name.view() == name)
            return memory.get();
    }
    return nullptr;
}

Result<SharedMemories::Memory *, SharedError> SharedMemories::make(std::string_view name, u64 size_bytes) {
    if (ram_ == nullptr)
        return Err{SharedError::not_available};
    if (memories_.full())
        return Err{SharedError::too_many};
    auto memory = Owned<Memory>::make(allocator_, name);
    const auto block = memory ? ram_->allocate_shared(size_bytes) : Err{HostError{HostErrorKind::out_of_memory}};
    if (!block)
        return Err{SharedError::out_of_memory};
    memory->block = *block;
    memory->size_bytes = size_bytes;
    Memory *const made = memory.get();
    (void)memories_.emplace_back(std::move(memory)); // not full, see above
    return made;
}

Result<SharedMemories::Member, SharedError> SharedMemories::join(std::string_view name, u64 size_bytes) {
    Memory *memory = find(name);
    if (memory == nullptr)
        memory = SEL4VM_TRY(make(name, size_bytes));
    if (memory->size_bytes != size_bytes)
        return Err{SharedError::other_size};
    ++memory->members;
    return Member(*this, *memory);
}

void SharedMemories::leave(Memory &memory) {
    if (--memory.members > 0)
        return;
    ram_->free_shared(memory.block);
    for (usize i = 0; i < memories_.size(); ++i) {
        if (memories_[i].get() == &memory) {
            memories_.erase(i);
            return;
        }
    }
}

} // namespace sel4vm::machine
