// Nothing about Syncline is set here, except that the worker may wait at its top.
export default { worker: { format: 'es' }, build: { target: 'es2022' } };
