// SPDX-License-Identifier: BSD-2-Clause
//
// The list of devices: an array in address order that grows as the client adds to it.
#include <sel4vmmplatsupport/device.h>

#include <sel4vmmplatsupport/log.hpp>

#include <cstdlib>
#include <cstring>
#include <limits>

using namespace sel4vm::platsupport;

extern "C" int device_list_init(device_list_t *list) {
    if (list == nullptr)
        return refuse(nullptr, "device_list_init: there is no list");
    *list = {nullptr, 0};
    return 0;
}

extern "C" int add_device(device_list_t *list, const struct device *d) {
    if (list == nullptr || d == nullptr || list->num_devices == std::numeric_limits<int>::max())
        return refuse(nullptr, "add_device: an argument is missing");
    if (d->size == 0 || d->size - 1 > std::numeric_limits<seL4_Word>::max() - d->pstart)
        return refuse(nullptr, "add_device: the device's range is impossible");
    const seL4_Word last = d->pstart + (d->size - 1);
    const auto count = static_cast<sel4vm::usize>(list->num_devices);
    sel4vm::usize at = 0;
    while (at < count && list->devices[at].pstart < d->pstart)
        ++at;
    const bool overlaps_before =
        at != 0 && list->devices[at - 1].pstart + (list->devices[at - 1].size - 1) >= d->pstart;
    if (overlaps_before || (at < count && list->devices[at].pstart <= last))
        return refuse(nullptr, "add_device: the device overlaps another one");
    void *moved = std::realloc(list->devices, (count + 1) * sizeof(struct device));
    if (moved == nullptr)
        return refuse(nullptr, "add_device: no memory");
    list->devices = static_cast<struct device *>(moved);
    std::memmove(list->devices + at + 1, list->devices + at, (count - at) * sizeof(struct device));
    list->devices[at] = *d;
    ++list->num_devices;
    return 0;
}

extern "C" struct device *find_device_by_pa(device_list_t *dev_list, uintptr_t addr) {
    if (dev_list == nullptr)
        return nullptr;
    for (int i = 0; i < dev_list->num_devices; ++i) {
        struct device &candidate = dev_list->devices[i];
        if (addr >= candidate.pstart && addr - candidate.pstart < candidate.size)
            return &candidate;
    }
    return nullptr;
}
