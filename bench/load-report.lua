-- wrk calls done() once, after the run: a request costs nothing more for it.
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\nreport {"requests":%d,"microseconds":%d,"bytes":%d,"p50":%d,"p99":%d,' ..
    '"errors":{"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    e.connect, e.read, e.write, e.timeout, e.status))
end
