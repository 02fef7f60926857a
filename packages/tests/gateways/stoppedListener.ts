/** Listens with the shortest of backlogs and prints a line for each connection; stopped (SIGSTOP) it takes none. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

let requests = 0;
const server = createServer((request, response) => {
  if (request.url === "/count") {
    response.end(String(requests));
  } else {
    requests += 1;
    response.end("{}");
  }
});
server.on("connection", () => process.stdout.write("connection\n"));
server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
