// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/page_pool.hpp>

#include <algorithm>
#include <new>

namespace sel4vm::el2 {

// SAFETY: [base, base + size_bytes) is free, page-aligned memory that nothing else uses.
PagePool::Node *PagePool::place(u64 base, Node *next, u64 size_bytes) {
    return ::new (reinterpret_cast<void *>(static_cast<uptr>(base))) Node{next, size_bytes};
}

void PagePool::add(HostPhysRange range) {
    SEL4VM_ASSERT(range.is_aligned_to(kPageBytes));
    Node **link = &first_;
    Node *before = nullptr;
    while (*link != nullptr && (*link)->base() < range.base().value()) {
        before = *link;
        link = &before->next;
    }
    Node *after = *link;
    SEL4VM_ASSERT(before == nullptr || before->end() <= range.base().value());
    SEL4VM_ASSERT(after == nullptr || range.end().value() <= after->base());

    free_bytes_ += range.size();
    u64 size = range.size();
    if (after != nullptr && range.end().value() == after->base()) {
        size += after->size_bytes;
        after = after->next;
    }
    if (before != nullptr && before->end() == range.base().value()) {
        before->size_bytes += size;
        before->next = after;
        return;
    }
    *link = place(range.base().value(), after, size);
}

void PagePool::take(Node **link, u64 base, u64 size_bytes) {
    Node *node = *link;
    const u64 node_base = node->base();
    const u64 node_end = node->end();
    const u64 end = base + size_bytes;
    Node *rest = node->next;
    if (end != node_end)
        rest = place(end, rest, node_end - end);
    if (base != node_base) {
        node->size_bytes = base - node_base;
        node->next = rest;
    } else {
        *link = rest;
    }
    free_bytes_ -= size_bytes;
}

std::optional<HostPhys> PagePool::allocate(u64 size_bytes, u64 alignment, From from) {
    SEL4VM_ASSERT(size_bytes > 0 && is_aligned(size_bytes, kPageBytes) && alignment >= kPageBytes);
    Node **found = nullptr;
    u64 found_base = 0;
    for (Node **link = &first_; *link != nullptr; link = &(*link)->next) {
        const Node &node = **link;
        if (node.size_bytes < size_bytes)
            continue;
        const auto low = align_up(node.base(), alignment);
        if (!low || *low > node.end() - size_bytes)
            continue;
        found = link;
        found_base = from == From::low ? *low : align_down(node.end() - size_bytes, alignment);
        if (from == From::low)
            break;
    }
    if (found == nullptr)
        return std::nullopt;
    take(found, found_base, size_bytes);
    return HostPhys{found_base};
}

bool PagePool::allocate_at(HostPhysRange range) {
    for (Node **link = &first_; *link != nullptr; link = &(*link)->next) {
        const Node &node = **link;
        if (node.end() <= range.base().value())
            continue;
        if (node.base() > range.base().value() || node.end() < range.end().value())
            return false;
        take(link, range.base().value(), range.size());
        return true;
    }
    return false;
}

u64 PagePool::largest(u64 alignment, u64 granule) const {
    u64 best = 0;
    for (const Node *node = first_; node != nullptr; node = node->next) {
        const auto low = align_up(node->base(), alignment);
        if (low && *low < node->end())
            best = std::max(best, align_down(node->end() - *low, granule));
    }
    return best;
}

} // namespace sel4vm::el2
