// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vmmplatsupport/kept.hpp>

namespace sel4vm::platsupport {

bool PageSet::make_room(vm_t &vm, usize count) {
    vm_ = &vm;
    slots_ = static_cast<Slot *>(std::calloc(count, sizeof(Slot)));
    room_ = slots_ == nullptr ? 0 : count;
    return slots_ != nullptr;
}

void PageSet::add(const Page &page) {
    SEL4VM_ASSERT(size_ < room_);
    slots_[size_++] = {page, nullptr};
}

Result<void *, HostError> PageSet::add_shown(const Page &page) {
    auto shown = show_page(*vm_, page);
    if (!shown) {
        free_page(*vm_, page);
        return shown;
    }
    add(page);
    slots_[size_ - 1].shown = *shown;
    return *shown;
}

void PageSet::release() {
    while (size_ != 0) {
        const Slot &slot = slots_[--size_];
        if (slot.shown != nullptr)
            hide_page(*vm_, slot.page, slot.shown);
        free_page(*vm_, slot.page);
    }
    std::free(slots_);
    slots_ = nullptr;
    room_ = 0;
}

} // namespace sel4vm::platsupport
