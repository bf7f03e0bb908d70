/** A content filter that lets everything through to the server behind it, with a header field of its own on top. */
import { connect, createServer, type Server, type Socket } from 'node:net';

export class RelayFilter {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** `next`: port of the server behind it. */
  constructor(next: number, field: string) {
    this.#server = createServer((client) => {
      const server = connect(next, '127.0.0.1');
      for (const socket of [client, server]) {
        this.#sockets.add(socket);
        socket.on('close', () => {
          this.#sockets.delete(socket);
          client.destroy();
          server.destroy();
        });
        socket.on('error', () => socket.destroy());
      }
      client.pipe(server);
      server.on('data', (reply: Buffer) => {
        // whoever got this reply has not sent any content yet
        if (reply.toString('latin1').startsWith('354')) server.write(`${field}\r\n`);
        client.write(reply);
      });
    });
  }

  listen(port: number): Promise<void> {
    return new Promise((done) => this.#server.listen(port, '127.0.0.1', () => done()));
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
