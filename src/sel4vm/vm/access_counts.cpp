// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/vm/access_counts.hpp>

namespace sel4vm {

void AccessCounts::record(const EventRecord &record) {
    const Event &event = record.event;
    if (event.kind != EventKind::exit || event.exit.kind != ExitKind::memory)
        return;
    const auto place = names_.find(event.vm, event.exit.memory.gpa);
    if (!place)
        return;
    for (Count &count : counts_)
        if (count.vm == event.vm && count.place.base == place->base && count.place.name == place->name) {
            ++count.accesses;
            return;
        }
    static_cast<void>(counts_.emplace_back(Count{event.vm, *place, 1})); // one more than fit is not counted
}

} // namespace sel4vm
