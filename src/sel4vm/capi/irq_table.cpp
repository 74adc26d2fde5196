// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/capi/irq_table.hpp>

namespace sel4vm::capi {

const IrqTable::Row *IrqTable::search(u32 key) const {
    const Row *row =
        std::lower_bound(rows_.begin(), rows_.end(), key, [](const Row &a, u32 wanted) { return a.key < wanted; });
    if (row == rows_.end() || row->key != key)
        return nullptr;
    last_.store(static_cast<usize>(row - rows_.begin()), std::memory_order_relaxed);
    return row;
}

IrqTable::Added IrqTable::add(VcpuId vcpu, u32 intid, irq_ack_fn_t ack, void *cookie) {
    const u32 key = key_of(vcpu, intid);
    usize place = 0;
    while (place < rows_.size() && rows_[place].key < key)
        ++place;
    if (place < rows_.size() && rows_[place].key == key)
        return intid >= kFirstShared ? Added::kept : Added::already;
    if (!rows_.insert(place, Row{key, ack, cookie}))
        return Added::out_of_memory;
    if (router_ != nullptr && ack != nullptr)
        listen(intid);
    return Added::done;
}

void IrqTable::connect(IrqRouter &router) {
    router_ = &router;
    for (const Row &row : rows_) {
        if (row.ack != nullptr)
            listen(intid_of(row.key));
    }
}

/// Without ends, from a controller that does not tell them, a client hears nothing.
void IrqTable::listen(u32 intid) {
    if (router_->has(intid))
        static_cast<void>(router_->set_eoi_listener(intid, this));
}

void IrqTable::interrupt_ended(VcpuId vcpu, u32 intid) {
    const Row *row = find(key_of(vcpu, intid));
    if (row != nullptr && row->ack != nullptr)
        row->ack(vm_.vcpus[vcpu.value()], static_cast<int>(intid), row->cookie);
}

} // namespace sel4vm::capi
