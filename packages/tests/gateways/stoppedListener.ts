/** Listens with the shortest of backlogs and answers 200 to all; stopped (SIGSTOP) it lets connections hang in mid-air. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

let requests = 0;
const server = createServer((request, response) => {
  if (request.url === "/count") return response.end(String(requests));
  requests += 1;
  return response.end("{}");
});
server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
