version 1.0

workflow Greeting {
  input {
    String sample_name
    Int copies
    String container
  }
  call Greet { input: sample_name = sample_name, copies = copies, container = container }
  output { File greeting = Greet.greeting }
}

task Greet {
  input {
    String sample_name
    Int copies
    String container
  }
  command <<<
    for _ in $(seq ~{copies}); do echo "Hello, ~{sample_name}"; done > greeting.txt
  >>>
  output { File greeting = "greeting.txt" }
  runtime {
    docker: container
    cpu: 2
    memory: "4 GiB"
  }
}
