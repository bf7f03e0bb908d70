/** postscreen: tests clients before an SMTP server sees them. */
export { createPostscreen, type PostscreenOptions, type PostscreenServer } from './server.ts';
export { compilePostscreenSettings, type PostscreenSettings } from './settings.ts';
export type { HandedOver, ScreenedSocket } from './screened-socket.ts';
export type { ScreenedTls } from './screened-tls.ts';
