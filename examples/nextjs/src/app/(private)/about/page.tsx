export default function AboutPage() {
  return (
    <>
      <h1>About</h1>
      <p>This page has no cards. The layout keeps the WebSocket open for the other pages.</p>
    </>
  )
}
