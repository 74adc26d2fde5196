// SPDX-License-Identifier: BSD-2-Clause
#include <bindings/el2/endpoint.hpp>

namespace sel4vm::el2 {

namespace {

ProcessorSetup processor_setup(const PlatformInfo &platform, u64 slice_microseconds) {
    ProcessorSetup setup = ProcessorSetup::of(platform);
    setup.slice_microseconds = slice_microseconds;
    setup.waits_for_notifications = false;
    return setup;
}

} // namespace

void CpuClaim::give_to(EndpointExecutor &executor) {
    if (holder_ == &executor) [[likely]]
        return;
    take_back();
    executor.processor().take_over();
    holder_ = &executor;
}

void CpuClaim::take_back() {
    if (holder_ == nullptr)
        return;
    holder_->processor().release();
    holder_ = nullptr;
}

// Interrupts are masked while the host runs, so who waits does not change during this.
void Endpoint::signal(u64 badge) {
    if (EndpointExecutor *waiting = waiting_.load(std::memory_order_acquire))
        waiting->signal(badge);
    else
        pending_.fetch_or(badge, std::memory_order_release);
}

void Endpoint::add_signal_source() {
    ++sources_;
    for (EndpointExecutor *at = first_; at != nullptr; at = at->next_)
        at->processor_.add_signal_source();
}

void Endpoint::remove_signal_source() {
    --sources_;
    for (EndpointExecutor *at = first_; at != nullptr; at = at->next_)
        at->processor_.remove_signal_source();
}

// A Processor takes the hardware as it is made, so nobody else may have it; it gets it again when it is first waited on.
EndpointExecutor::EndpointExecutor(Host &host, CpuClaim &claim, Endpoint &endpoint, u64 slice_microseconds)
    : claim_((claim.take_back(), claim)), endpoint_(endpoint), next_(endpoint.first_),
      processor_(host.gic(), host.interrupts(), processor_setup(host.platform(), slice_microseconds)) {
    processor_.release();
    for (u32 i = 0; i < endpoint.sources_; ++i)
        processor_.add_signal_source();
    endpoint.first_ = this;
}

Owned<EndpointExecutor> EndpointExecutor::make(Host &host, CpuClaim &claim, Endpoint &endpoint,
                                               u64 slice_microseconds) {
    return Owned<EndpointExecutor>::make(host.heap(), host, claim, endpoint, slice_microseconds);
}

EndpointExecutor::~EndpointExecutor() {
    claim_.take_back_from(*this);
    EndpointExecutor **link = &endpoint_.first_;
    while (*link != this)
        link = &(*link)->next_;
    *link = next_;
}

void EndpointExecutor::resume_and_wait(Answer answer, Event &event) {
    claim_.give_to(*this);
    if (const u64 badge = endpoint_.pending_.exchange(0, std::memory_order_acquire); badge != 0)
        processor_.signal(badge);
    endpoint_.waiting_.store(this, std::memory_order_release);
    processor_.resume_and_wait(answer, event);
    endpoint_.waiting_.store(nullptr, std::memory_order_release);
}

} // namespace sel4vm::el2
