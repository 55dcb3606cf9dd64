// Debian's node-eventsource: prints each event as a line of JSON, and what happens to its connection.
const EventSource = require("eventsource");
const Source = EventSource.EventSource || EventSource;
const source = new Source(process.argv[2]);
const say = (line) => console.log(JSON.stringify(line));
source.onopen = () => say({ open: true });
source.onerror = () => say({ error: source.readyState });
for (const type of ["message", "named", "gap"]) {
  source.addEventListener(type, (event) => say({ type, data: event.data, id: event.lastEventId }));
}
