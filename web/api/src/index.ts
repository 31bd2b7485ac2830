export { api } from './client';
export { ApiError } from './error';
export type * from './types';
