/**
 * End a connection, also one that is still being opened: that one is closed as soon as it is open,
 * because browsers log a warning for a socket that is closed before.
 */
export function hangUp(socket: WebSocket, close: () => void = () => socket.close()): void {
  if (socket.readyState === socket.CONNECTING) socket.addEventListener("open", close, { once: true });
  else close();
}
