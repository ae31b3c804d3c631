-- For wrk: every request adds another 32 bytes to a Ledger. At the end one line of JSON.
local thread_count = 0

function setup(thread)
  thread:set("number", thread_count)
  thread_count = thread_count + 1
end

function init(arguments)
  head = string.format("%08x%04x", tonumber(arguments[1]), number)
  sent = 0
end

function request()
  sent = sent + 1
  return wrk.format("POST", nil, nil, string.format("%s%020x", head, sent))
end

function done(summary, latency, requests)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format('{"answers": %d, ', summary.requests))
  io.write(string.format('"microseconds": %d, ', summary.duration))
  io.write(string.format('"p50": %d, ', latency:percentile(50)))
  io.write(string.format('"p99": %d, ', latency:percentile(99)))
  io.write(string.format('"worst": %d, ', latency.max))
  io.write(string.format('"refused": %d, "broken": %d}\n', errors.status, broken))
end
